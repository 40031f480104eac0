import { ExpositionError, type Labels } from './types';

export interface Rules {
  /** Whether blanks and tabs may stand between any two tokens, and a comma after the last label. */
  readonly loose: boolean;
  /** Characters that may follow a backslash; what they stand for. */
  readonly escapes: Readonly<Record<string, string>>;
}

/** Reads the tokens of one line from left to right. */
export class Scanner {
  #at = 0;

  constructor(
    readonly text: string,
    readonly line: number,
    readonly rules: Rules,
  ) {}

  fail(message: string): never {
    throw new ExpositionError(
      this.line,
      `${message} at column ${this.#at + 1} of ${JSON.stringify(this.text)}`,
    );
  }

  get atEnd(): boolean {
    return this.#at === this.text.length;
  }

  /** Whether `token` comes next; goes past it if so. */
  has(token: string): boolean {
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.has(token)) this.fail(`expected ${JSON.stringify(token)}`);
  }

  /** Skips blanks where the format allows any. */
  blanks(): void {
    if (this.rules.loose) this.match(/[ \t]*/y);
  }

  /** What must stand between two values: one space, or any number of blanks. */
  separator(): void {
    if (this.match(this.rules.loose ? /[ \t]+/y : / /y) === undefined) this.fail('expected a space');
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    return found;
  }

  metricName(): string {
    return this.match(/[a-zA-Z_:][a-zA-Z0-9_:]*/y) ?? this.fail('expected the name of a metric');
  }

  /** Up to the next blank. */
  word(): string {
    return this.match(/[^ \t]+/y) ?? this.fail('expected a word');
  }

  rest(): string {
    return this.match(/.*/suy)!;
  }

  /** `{name="value",...}` if it comes next. */
  labels(): Labels | undefined {
    if (!this.has('{')) return undefined;
    const labels: Record<string, string> = Object.create(null) as Record<string, string>;
    this.blanks();
    while (!this.has('}')) {
      const name = this.match(/[a-zA-Z_][a-zA-Z0-9_]*/y) ?? this.fail('expected the name of a label');
      if (name.startsWith('__')) this.fail(`the label ${name} is reserved`);
      if (name in labels) this.fail(`the label ${name} is there twice`);
      this.blanks();
      this.expect('=');
      this.blanks();
      this.expect('"');
      labels[name] = this.escaped('"');
      this.expect('"');
      this.blanks();
      if (this.has(',')) {
        this.blanks();
        if (!this.rules.loose && this.text[this.#at] === '}') this.fail('a comma after the last label');
      } else if (this.text[this.#at] !== '}') {
        this.fail('expected , or }');
      }
    }
    return labels;
  }

  /** Text with escapes, up to `end` or the end of the line, which stays. */
  escaped(end: string | undefined, escapes = this.rules.escapes): string {
    let value = '';
    while (!this.atEnd && this.text[this.#at] !== end) {
      const char = this.text[this.#at++]!;
      if (char !== '\\') {
        value += char;
        continue;
      }
      const escaped = this.text[this.#at++] ?? '';
      value += escapes[escaped] ?? this.fail(`\\${escaped} is no escape`);
    }
    return value;
  }
}
