import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { createContext, useContext, useState } from "react";

import type { Auth } from "../shared/auth";
import { EXAMPLE_GROUPS, type Example, FIRST_EXAMPLE } from "./examples";
import { fillIn } from "./placeholders";

export const AuthContext = createContext<Auth | null>(null);

/** What the last opened tab was given; while it is untouched and was never run, the next example
 * takes its place, so that looking through the list does not pile up tabs. */
let lastOpened = { query: FIRST_EXAMPLE.query, variables: FIRST_EXAMPLE.variables };

function ExamplesPanel() {
  const auth = useContext(AuthContext);
  const { stop, addTab, updateActiveTabValues, setVisiblePlugin } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const [note, setNote] = useState("");

  async function open(example: Example): Promise<void> {
    if (!auth || !queryEditor || !variableEditor) return;
    const { variables, missing } = await fillIn(example.variables, auth);
    const isUntouched =
      queryEditor.getValue() === lastOpened.query &&
      variableEditor.getValue() === lastOpened.variables &&
      !response;
    stop();
    if (!isUntouched) addTab();
    lastOpened = { query: example.query, variables };
    queryEditor.setValue(example.query);
    variableEditor.setValue(variables);
    responseEditor?.setValue("");
    updateActiveTabValues(lastOpened);
    setNote(remark(example, missing, auth));
    if (window.matchMedia("(max-width: 700px)").matches) setVisiblePlugin(null);
    queryEditor.focus();
  }

  return (
    <section className="examples" aria-label="Examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      <p className="examples-hint">
        Opens in a tab, with ids of your newest work filled in. Run it with Ctrl+Enter. To watch a
        feed while you work, run it in a second window.
      </p>
      <p className="examples-note" aria-live="polite">
        {note}
      </p>
      {EXAMPLE_GROUPS.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h3>{group.title}</h3>
          <ul>
            {group.examples.map((example) => (
              <li key={example.name}>
                <button type="button" onClick={() => void open(example)}>
                  <code>{example.name}</code>
                  <span>{example.summary}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function remark(example: Example, missing: string[], auth: Auth): string {
  if (missing.length === 0) return "";
  const names = missing.join(", ");
  return auth.state().identity
    ? `${example.name}: nothing found for ${names}; put a value in its place.`
    : `${example.name}: sign in to have ${names} filled in.`;
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.3" aria-hidden="true">
      <path d="M3 1.7h7l3 3v9.6H3z" strokeLinejoin="round" />
      <path d="M6.6 7 5 8.7l1.6 1.6M9.4 7 11 8.7l-1.6 1.6" strokeLinecap="round" />
    </svg>
  );
}

export const EXAMPLES_PLUGIN: GraphiQLPlugin = {
  title: "Examples",
  icon: ExamplesIcon,
  content: ExamplesPanel,
};
