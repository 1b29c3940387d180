// The editor of an example, loaded when somebody wants to edit.
import { javascript } from '@codemirror/lang-javascript';
import { EditorView, basicSetup } from 'codemirror';

export interface Editor {
  text(): string;
  focus(): void;
  destroy(): void;
}

const theme = EditorView.theme({
  '&': { fontSize: '14px', backgroundColor: 'var(--vp-code-block-bg)', color: 'var(--vp-c-text-1)', borderRadius: '8px' },
  '.cm-content': { fontFamily: 'var(--vp-font-family-mono)', caretColor: 'var(--vp-c-text-1)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--vp-c-text-2)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--vp-c-default-soft)' },
  '.cm-cursor': { borderLeftColor: 'var(--vp-c-text-1)' },
});

/** Puts an editor with this text into an element. Escape, then Tab, leaves it. */
export function edit(parent: HTMLElement, text: string, label: string): Editor {
  const view = new EditorView({
    doc: text,
    parent,
    extensions: [
      basicSetup,
      javascript({ typescript: true }),
      EditorView.lineWrapping,
      theme,
      EditorView.contentAttributes.of({ 'aria-label': label }),
    ],
  });
  return { text: () => view.state.doc.toString(), focus: () => view.focus(), destroy: () => view.destroy() };
}
