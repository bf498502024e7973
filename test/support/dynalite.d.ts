/** The package brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** @param options milliseconds that a table takes to be made, and the like */
  export default function dynalite(options: { readonly createTableMs: number }): Server;
}
