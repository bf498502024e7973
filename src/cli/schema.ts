import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeFileError } from '../config/file-error.ts';
import { createJsonSchema } from '../config/json-schema.ts';
import { createReference, insertReference } from '../config/reference.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

interface SchemaOptions {
  readonly markdown?: boolean;
  readonly write?: string;
}

/** `schema`: the shape of the configuration, for editors and for people. */
export const schemaCommand: AddCommand = (program, context, finish) => {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .option('--markdown', 'print the reference for people instead')
    .option('-w, --write <file>', 'write to the file; the reference goes between its markers')
    .action((options: SchemaOptions) => finish(printSchema(options, context)));
};

function printSchema({ markdown, write }: SchemaOptions, context: CommandContext): ExitCode {
  if (write === undefined) {
    context.out(markdown ? `${createReference()}\n` : formatJsonSchema());
    return EXIT.fine;
  }
  const path = resolve(context.folder, write);
  try {
    const text = markdown ? insertReference(readFileSync(path, 'utf8')) : formatJsonSchema();
    if (text === null) {
      context.err(
        `${write} has no place for the reference: it needs the two marker lines of schema --markdown\n`,
      );
      return EXIT.unusable;
    }
    writeFileSync(path, text);
    return EXIT.fine;
  } catch (error) {
    context.err(`${write}: ${describeFileError(error)}\n`);
    return EXIT.failed;
  }
}

function formatJsonSchema(): string {
  return `${JSON.stringify(createJsonSchema(), null, 2)}\n`;
}
