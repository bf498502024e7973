import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { describeFileError } from '../file-error.ts';

/** What the loader must know of a value beyond its type. */
export interface SchemaRole {
  /** It is never shown, or it is a path to resolve and watch. */
  readonly role: 'hidden' | 'file';
  /** What of it must not stand in the configuration itself, but come from the environment or from a file. */
  readonly fromElsewhere?: 'whole' | 'password';
}

export const schemaRoles = z.registry<SchemaRole>();

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration such as `1500ms`, `15s`, `5m`, `1h`; read as milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'expected a duration such as 500ms, 15s, 5m, 1h or 1d')
  .transform((text): number => {
    const unit = text.replace(/^\d+/, '');
    return Number.parseInt(text, 10) * (DURATION_UNITS[unit] ?? 1);
  })
  .meta({ title: 'duration' });

/** A size or a count that must be at least one. */
export const positive = z.int().min(1);

/** `host:port`, `[::1]:8080` or `:8080` (every address). Port 0 asks the system for a free one. */
export const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s[\]]*):\d{1,5}$/, 'expected host:port, such as 0.0.0.0:8080')
  .transform((text): ListenAddress => {
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
    return { host: host === '' ? '::' : host, port: Number(text.slice(colon + 1)) };
  })
  .refine((address) => address.port <= 65_535, 'expected a port from 0 to 65535')
  .meta({ title: 'host:port' });

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** An RFC 9110 field name, read in lower case. */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^`|~-]+$/, 'expected a header name without spaces or underscores')
  .transform((name) => name.toLowerCase())
  .meta({ title: 'header name' });

/** A name that other parts of the file refer to, and a metric label. */
export const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected a name of letters, digits, ".", "_" and "-"')
  .meta({ title: 'name' });

/** A path; relative ones start at the folder of the configuration file. The loader makes it absolute and watches it. */
export const filePath = z.string().min(1).register(schemaRoles, { role: 'file' }).meta({ title: 'path' });

/**
 * A text, or the file that holds it, read here and watched by the loader. An issue has the file apart from its words: whether its
 * name may be told is not known here.
 */
const textOrFile = z
  .union([z.string().min(1), z.strictObject({ file: filePath.describe('The file that holds it.') })])
  .transform((value, context): string => {
    if (typeof value === 'string') return value;
    try {
      const text = readFileSync(value.file, 'utf8').trimEnd();
      if (text !== '') return text;
      context.addIssue({ code: 'custom', message: 'is empty', params: { file: value.file } });
    } catch (error) {
      const message = `cannot be read: ${describeFileError(error)}`;
      context.addIssue({ code: 'custom', message, params: { file: value.file } });
    }
    return z.NEVER;
  });

/** A secret, from the environment or from a file. */
export const secret = textOrFile
  .meta({ title: '${NAME}, or { file: path }' })
  .register(schemaRoles, { role: 'hidden', fromElsewhere: 'whole' });

/** What belongs to a secret, such as the certificate of a key: not shown, but no secret by itself. */
export const hiddenText = textOrFile
  .meta({ title: 'text, or { file: path }' })
  .register(schemaRoles, { role: 'hidden' });

/** Redis' own form of URL; a password in it makes it a secret. */
export const redisUrl = textOrFile
  .refine(
    (text) => /^rediss?:\/\/[^\s]+$/.test(text),
    'expected a URL that starts with redis:// or rediss://',
  )
  .meta({ title: 'text, or { file: path }' })
  .register(schemaRoles, { role: 'hidden', fromElsewhere: 'password' });

/** An IAM role. */
export const roleArn = z
  .string()
  .regex(/^arn:[a-z-]+:iam::\d{12}:role\/.+$/, 'expected the ARN of an IAM role')
  .meta({ title: 'role ARN' });

/** An absolute http or https URL without credentials, query or fragment. */
export const httpUrl = z
  .string()
  .superRefine((text, context) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:\/\//.test(text)) {
      context.addIssue({
        code: 'custom',
        message: 'expected an absolute URL that starts with http:// or https://',
      });
    } else if (url.username !== '' || url.password !== '') {
      context.addIssue({ code: 'custom', message: 'expected a URL without a user name or password' });
    } else if (text.includes('?') || text.includes('#')) {
      context.addIssue({ code: 'custom', message: 'expected a URL without a query or fragment' });
    }
  })
  .meta({ title: 'URL' });

/** One value, or several of which any will do. */
export const oneOrMore = <T extends z.ZodType>(item: T): z.ZodUnion<[T, z.ZodArray<T>]> =>
  z.union([item, z.array(item).min(1)]);
