/** Reads delimited text (RFC 4180) piece by piece. */

const DELIMITERS = [",", ";", "\t", "|"];

/** The delimiter of a text: that which its first line has most often outside quotes. */
export function delimiterOf(text) {
  const line = text.replace(/"[^"]*"/g, "").split(/\r?\n/, 1)[0];
  const times = DELIMITERS.map((delimiter) => line.split(delimiter).length);
  return DELIMITERS[times.indexOf(Math.max(...times))];
}

/**
 * The records of delimited text that comes in pieces: { line, end, cells }, where `line` is that on which the record begins,
 * and `end` how many characters of the text end with it. Empty lines are left out. Throws where the text ends inside quotes.
 */
export async function* records(pieces, delimiter) {
  const reader = new Reader(delimiter);
  for await (const piece of pieces) yield* reader.read(piece);
  yield* reader.finish();
}

class Reader {
  constructor(delimiter) {
    this.delimiter = delimiter;
    this.line = 1;
    this.end = 0;
    this.begin();
    this.isQuoted = false;
    this.wasQuote = false;
    this.wasReturn = false;
  }

  begin() {
    this.start = this.line;
    this.cells = [];
    this.cell = "";
    this.hasQuotes = false;
  }

  *read(piece) {
    for (const character of piece) {
      this.end += character.length;
      if (character === "\n" && !this.wasReturn) this.line += 1;
      if (character === "\r") this.line += 1;
      yield* this.take(character);
      this.wasReturn = character === "\r";
    }
  }

  *take(character) {
    if (this.isQuoted && !this.wasQuote) {
      if (character === '"') this.wasQuote = true;
      else this.cell += character;
      return;
    }
    if (this.wasQuote) {
      this.wasQuote = false;
      if (character === '"') {
        this.cell += '"';
        return;
      }
      this.isQuoted = false;
    }
    if (character === '"' && this.cell === "" && !this.hasQuotes) {
      this.isQuoted = true;
      this.hasQuotes = true;
    } else if (character === this.delimiter) this.endCell();
    else if (character === "\n" && this.wasReturn) this.start = this.line;
    else if (character === "\n" || character === "\r") yield* this.endRecord();
    else this.cell += character;
  }

  endCell() {
    this.cells.push(this.cell);
    this.cell = "";
    this.hasQuotes = false;
  }

  *endRecord() {
    const isEmpty = this.cells.length === 0 && this.cell === "" && !this.hasQuotes;
    const { start } = this;
    this.endCell();
    const { cells } = this;
    this.begin();
    if (!isEmpty) yield { line: start, end: this.end, cells };
  }

  *finish() {
    if (this.isQuoted && !this.wasQuote) throw new Error(`The quotes that open in the record of line ${this.start} are not closed.`);
    yield* this.endRecord();
  }
}
