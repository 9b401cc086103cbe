import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Auth, type Identity } from "../shared/auth";
import { AccountBar } from "./account-bar";
import { FIRST_EXAMPLE } from "./examples";
import { AuthContext, EXAMPLES_PLUGIN } from "./examples-panel";
import { createFetcher } from "./fetcher";

const auth = new Auth();
const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = [{ query: FIRST_EXAMPLE.query, variables: FIRST_EXAMPLE.variables }];
/** On a phone the panel covers the editor, so it opens only when asked for. */
const FIRST_PLUGIN = window.matchMedia("(min-width: 701px)").matches ? EXAMPLES_PLUGIN : undefined;

export function Page() {
  const { identity } = useSyncExternalStore(auth.subscribe, auth.state);
  const [schemaOwner, setSchemaOwner] = useState<Identity | null>();
  // A new fetcher makes GraphiQL drop the schema and ask for it anew, as another person may see it.
  const fetcher = useMemo(() => createFetcher(auth), [identity]);

  return (
    <AuthContext value={auth}>
      <AccountBar auth={auth} hasSchema={schemaOwner === identity} />
      <main className="editor">
        <GraphiQL
          fetcher={fetcher}
          // Variables may hold passwords: nothing of what was typed outlives the window.
          storage={sessionStorage}
          inputValueDeprecation
          schemaDescription
          defaultTabs={FIRST_TABS}
          plugins={PLUGINS}
          visiblePlugin={FIRST_PLUGIN}
          defaultEditorToolsVisibility="variables"
          showPersistHeadersSettings={false}
          onSchemaChange={() => setSchemaOwner(auth.state().identity)}
        >
          <GraphiQL.Logo>
            <span className="logo">FlowPilot</span>
          </GraphiQL.Logo>
          <StopWithIdentity identity={identity} />
          <WrapLongLines />
        </GraphiQL>
      </main>
    </AuthContext>
  );
}

/** A subscription ends with the sign-in under which it was started, and its result goes too. */
function StopWithIdentity({ identity }: { identity: Identity | null }) {
  const { stop } = useGraphiQLActions();
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  useEffect(
    () => () => {
      stop();
      responseEditor?.setValue("");
    },
    [identity, responseEditor, stop],
  );
  return null;
}

function WrapLongLines() {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) editor?.updateOptions({ wordWrap: "on" });
  }, [queryEditor, variableEditor]);
  return null;
}
