/** A text that this browser keeps under a name; where it keeps nothing (private windows), it lasts as long as the page. */
export function keptText(name: string): { read(): string | null; write(text: string): void } {
  return {
    read() {
      try {
        return window.localStorage.getItem(name);
      } catch {
        return null;
      }
    },
    write(text) {
      try {
        window.localStorage.setItem(name, text);
      } catch {
        // Nothing is lost as long as the page is open.
      }
    },
  };
}

/** An id nobody else makes. `crypto.randomUUID` is there on https only. */
export function newTriggerId(): string {
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return `panel-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
