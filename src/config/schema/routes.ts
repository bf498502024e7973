import { z } from 'zod';
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
    .min(1),
  methods: z.array(methodName).min(1).default(['GET', 'HEAD', 'POST']),
  headers: z.array(headerName).default([]).describe('Request headers allowed.'),
  exposeHeaders: z.array(headerName).default([]).describe('Answer headers that scripts may read.'),
  credentials: z.boolean().default(false),
  maxAge: duration.prefault('5m'),
});
export type CorsPolicyConfig = z.output<typeof corsPolicy>;

export const cors = z.union([z.literal('upstream'), corsPolicy]).nullable();
export type CorsConfig = z.output<typeof cors>;

export const route = z.strictObject({
  id: identifier,
  match: z.strictObject({
    host: hostName.optional().describe('An exact host; left out: any.'),
    methods: z.array(methodName).min(1).optional().describe('Left out: any. HEAD follows GET.'),
    path: z
      .string()
      .regex(/^\//, 'expected a path that starts with /')
      .describe('An API Gateway template: {name} is one segment, {name+} at the end one or more.'),
    permit: z
      .array(z.enum(PERMITTABLE))
      .default([])
      .describe('Spellings let through on this route that are refused everywhere else.'),
  }),
  allow: allow.describe('public, optional, authenticated, or conditions that must all hold.'),
  upstream: identifier,
  rewrite: z
    .strictObject({ stripPrefix: z.string().regex(/^\/.*[^/]$/, 'expected a prefix such as /users') })
    .optional(),
  cors: cors.optional(),
  forwardToken: z.boolean().optional(),
  limits: z.strictObject({ bodyBytes: positive.nullable() }).optional(),
  timeouts: z.strictObject({ response: duration.optional(), bodyIdle: duration.optional() }).optional(),
});
export type RouteConfig = z.output<typeof route>;
