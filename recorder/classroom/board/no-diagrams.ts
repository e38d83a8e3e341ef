/**
 * Stands in the bundle where Excalidraw would load Mermaid, 4 MB that turn diagrams in text into drawings: something that only who
 * edits a board does (vite.config.ts).
 */
export function parseMermaidToExcalidraw(): Promise<never> {
  return Promise.reject(new Error('Diagrams are not drawn here: a recorder only looks.'));
}
