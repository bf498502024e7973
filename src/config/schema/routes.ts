import { z } from 'zod';
import { rateLimit } from './rate-limits.ts';
import { allow } from './rules.ts';
import { duration, headerName, identifier, positive } from './scalars.ts';

/** Spellings that are refused unless a route names them. */
export const PERMITTABLE = ['%2F', '%25', '%23', '%3F', ';', '//'] as const;

const methodName = z
  .string()
  .regex(/^[A-Z][A-Z-]*$/, 'expected a method in upper case')
  .refine((name) => name !== 'CONNECT', 'CONNECT is never proxied');

const hostName = z
  .string()
  .regex(/^[A-Za-z0-9.-]+$|^\[[0-9A-Fa-f:.]+\]$/, 'expected a host name without scheme, port or wildcard')
  .transform((name) => name.toLowerCase());

const corsPolicy = z.strictObject({
  origins: z
    .array(
      z
        .string()
        .regex(
          /^(\*|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/,
          'expected an origin such as https://app.example.com, or *',
        ),
    )
    .min(1)
    .describe('Origins allowed; "*" is any.'),
  methods: z.array(methodName).min(1).default(['GET', 'HEAD', 'POST']).describe('Methods allowed.'),
  headers: z.array(headerName).prefault([]).describe('Request headers allowed.'),
  exposeHeaders: z.array(headerName).prefault([]).describe('Answer headers that scripts may read.'),
  credentials: z.boolean().default(false).describe('Whether browsers may send cookies and the like.'),
  maxAge: duration.prefault('5m').describe('How long a browser may remember the answer to a preflight.'),
});

export const cors = z.union([z.literal('upstream'), corsPolicy]).nullable();
export type CorsConfig = z.output<typeof cors>;

export const route = z.strictObject({
  id: identifier.describe('Its name in logs and metrics; one of its kind.'),
  match: z
    .strictObject({
      host: hostName.optional().describe('An exact host; left out: any.'),
      methods: z.array(methodName).min(1).optional().describe('Left out: any. HEAD follows GET.'),
      path: z
        .string()
        .regex(/^\//, 'expected a path that starts with /')
        .describe('An API Gateway template: {name} is one segment, {name+} at the end one or more.'),
      permit: z
        .array(z.enum(PERMITTABLE))
        .default([])
        .describe(
          'Spellings let through on this route that are refused everywhere else, unless there are too many ways to read them.',
        ),
    })
    .describe('Which requests it is for.'),
  allow: allow.describe('public, optional, authenticated, or conditions that must all hold.'),
  enforce: z
    .boolean()
    .optional()
    .describe('Instead of the general one. false: whoever allow would refuse is let through, and noted.'),
  upstream: identifier.describe('The upstream, by its name in this file.'),
  rewrite: z
    .strictObject({
      stripPrefix: z
        .string()
        .regex(/^\/.*[^/]$/, 'expected a prefix such as /users')
        .describe(
          'Whole segments taken off the front of the path before it is sent; check warns if that reaches what other routes protect.',
        ),
    })
    .optional()
    .describe('Changes to the path.'),
  cors: cors.optional().describe('Instead of the general one.'),
  forwardToken: z.boolean().optional().describe('Instead of identity.forwardToken.'),
  limits: z
    .strictObject({ bodyBytes: positive.nullable().describe('Instead of server.limits.bodyBytes.') })
    .optional()
    .describe("Instead of the server's."),
  rateLimit: rateLimit.optional().describe('How often it may be used; more often is 429.'),
  timeouts: z
    .strictObject({
      response: duration.optional().describe("Instead of the upstream's."),
      bodyIdle: duration.optional().describe("Instead of the upstream's."),
    })
    .optional()
    .describe("Instead of the upstream's."),
});
export type RouteConfig = z.output<typeof route>;
