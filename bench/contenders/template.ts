import { readFileSync } from 'node:fs';

/**
 * Fills in a configuration file that lies beside this one: `${NAME}` becomes a value.
 * @throws on a name without a value, and on a value without a place
 */
export function fillTemplate(file: string, values: Readonly<Record<string, string | number>>): string {
  const unused = new Set(Object.keys(values));
  const filled = readFileSync(new URL(file, import.meta.url), 'utf8').replace(
    /\$\{([A-Z_]+)\}/g,
    (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${file}: no value for ${name}`);
      unused.delete(name);
      return String(value);
    },
  );
  if (unused.size > 0) throw new Error(`${file}: no place for ${[...unused].join(', ')}`);
  return filled;
}
