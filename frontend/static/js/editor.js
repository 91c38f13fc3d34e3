// CodeMirror in place of the textarea for pasted source, loaded on first use. The textarea keeps the text for the form,
// and stays visible if the editor cannot be loaded.
let opening = null;

const COLOURS = { keyword: "--accent", string: "--s-completed", comment: "--text-3", number: "--s-stopping", name: "--s-lost" };

const LOOK = {
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { overflow: "auto", fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)", padding: "7px 0" },
  ".cm-gutters": { border: "none", backgroundColor: "var(--surface)", color: "var(--text-3)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--mark-current)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-panel.cm-search input, .cm-panel.cm-search button": { border: "1px solid var(--line-strong)", borderRadius: "4px", backgroundColor: "var(--surface)", backgroundImage: "none", color: "var(--text)", font: "inherit" },
};

function highlighting({ HighlightStyle, syntaxHighlighting, tags }) {
  const of = (tag, name) => ({ tag, color: `var(${COLOURS[name]})` });
  return syntaxHighlighting(HighlightStyle.define([
    of([tags.keyword, tags.operatorKeyword, tags.bool, tags.null, tags.self], "keyword"),
    of([tags.string, tags.special(tags.string)], "string"),
    of([tags.number], "number"),
    { ...of([tags.comment], "comment"), fontStyle: "italic" },
    of([tags.definition(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.meta], "name"),
  ]));
}

// The browser would insert the new text with inline styles, which the Content-Security-Policy of the page blocks and
// reports in the console.
function typeOverSelection(event, view) {
  if (event.inputType !== "insertText" || !event.data || view.composing || view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

function extensions(parts, changed) {
  const { EditorView, EditorState } = parts;
  return [
    parts.lineNumbers(), parts.history(), parts.bracketMatching(), parts.indentOnInput(), parts.indentUnit.of("    "),
    EditorState.tabSize.of(4), parts.search(), parts.highlightSelectionMatches(), parts.python(), highlighting(parts),
    parts.keymap.of([parts.indentWithTab, ...parts.defaultKeymap, ...parts.historyKeymap, ...parts.searchKeymap]),
    EditorView.theme(LOOK), EditorView.lineWrapping, EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
    EditorView.contentAttributes.of({ "aria-label": "Source", "aria-description": "Press Escape, then Tab, to leave the editor.", spellcheck: "false" }),
    EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
  ];
}

async function open() {
  const [textarea, host, label] = ["script-source", "editor", "label-source"].map((id) => document.getElementById(id));
  const parts = await import("../vendor/codemirror.js");
  // In a shadow root, CodeMirror uses adopted style sheets: the policy of the page blocks <style> elements.
  const root = host.attachShadow({ mode: "open" });
  const changed = (text) => {
    textarea.value = text;
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const view = new parts.EditorView({ doc: textarea.value, extensions: extensions(parts, changed), parent: root, root });
  // From outside, its keys appear to come from no input: the shortcuts of the page would handle them.
  host.addEventListener("keydown", (event) => event.stopPropagation());
  label.removeAttribute("for");
  label.addEventListener("click", () => view.focus());
  textarea.focus = () => view.focus();
  const focused = document.activeElement === textarea;
  textarea.hidden = true;
  host.hidden = false;
  document.getElementById("about-script-source").classList.remove("waits");
  if (focused) view.focus();
}

export function openEditor() {
  opening ??= open().catch((error) => console.info(`The editor cannot be loaded: ${error.message}`));
  return opening;
}
