/** One instruction of a Dockerfile: continuation lines joined, comments gone. */
export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

export interface BuildStage {
  /** The image it starts from. */
  readonly from: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

/** Reads as much of the Dockerfile format as a plain multi-stage build needs. */
export function parseDockerfile(text: string): BuildStage[] {
  const stages: { from: string; name: string | null; instructions: Instruction[] }[] = [];
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const logical = lines.join('\n').replace(/\\\n\s*/g, '');
  for (const line of logical.split('\n')) {
    const [, keyword = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === '') throw new Error(`not an instruction: ${line}`);
    if (keyword === 'FROM') {
      const [from = '', , name = null] = rest.split(/\s+/);
      stages.push({ from, name, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`an instruction before the first FROM: ${line}`);
      stage.instructions.push({ keyword, text: rest });
    }
  }
  return stages;
}

/** The texts of all instructions of one kind. */
export function textsOf(stage: BuildStage, keyword: string): string[] {
  return stage.instructions.filter((each) => each.keyword === keyword).map((each) => each.text);
}

/** The command of an instruction in exec form: what runs without a shell between it and the signals. */
export function execForm(text: string): string[] {
  const command = JSON.parse(text) as unknown;
  if (!Array.isArray(command)) throw new Error(`not in exec form: ${text}`);
  return command.map(String);
}

/** `KEY=value` and `KEY="value with blanks"` pairs, as ENV and LABEL have them. */
export function pairsOf(texts: readonly string[]): Record<string, string> {
  const pairs = texts.flatMap((text) => [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g)]);
  return Object.fromEntries(pairs.map(([, key = '', quoted, plain]) => [key, quoted ?? plain ?? '']));
}
