// Server-sent events: text in pieces of any size -> the data of each event (WHATWG HTML, section 9.2). Event names and ids
// are not used by the APIs spoken here.
export class SseParser {
  private rest = '';
  private data: string[] = [];

  push(piece: string): string[] {
    const events: string[] = [];
    this.rest += piece;
    // A carriage return at the end may be half of a line end.
    const whole = this.rest.endsWith('\r') ? this.rest.slice(0, -1) : this.rest;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + this.rest.slice(whole.length);
    for (const line of lines) {
      if (line === '') {
        if (this.data.length) events.push(this.data.join('\n'));
        this.data = [];
      } else if (line === 'data' || line.startsWith('data:')) {
        this.data.push(line.slice(5).replace(/^ /, ''));
      }
    }
    return events;
  }
}
