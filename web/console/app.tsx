import { lazy, Suspense, useEffect, useMemo, useSyncExternalStore } from "react";
import { RouterProvider } from "react-aria-components";
import { Provider } from "urql";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { Auth, type Identity } from "../shared/auth";
import { createClient } from "./graph/client";
import { Socket } from "./graph/socket";
import { QueuePage } from "./queue/queue-page";
import { NotFound } from "./shell/not-found";
import { OfflineBar } from "./shell/offline-bar";
import { persistently } from "./shell/persistently";
import { SignInPage } from "./shell/sign-in-page";
import { SkipLink } from "./shell/skip-link";
import { AuthContext, SocketContext, ViewerContext } from "./shell/viewer";
import { SkeletonRows } from "./ui/states";

const SessionsPage = lazy(persistently(() => import("./sessions/sessions-page")));
const SessionPage = lazy(persistently(() => import("./session/session-page")));
const SettingsPage = lazy(persistently(() => import("./settings/settings-page")));
const LibraryPage = lazy(persistently(() => import("./library/library-page")));

const auth = new Auth();

export function App() {
  const { identity, notice } = useSyncExternalStore(auth.subscribe, auth.state);
  const [, navigate] = useLocation();
  return (
    <RouterProvider navigate={navigate}>
      <AuthContext value={auth}>
        {identity ? (
          <Console key={identity.id} identity={identity} />
        ) : (
          <SignInPage auth={auth} notice={notice} />
        )}
      </AuthContext>
    </RouterProvider>
  );
}

/** All pages of one person: their cache and their socket begin and end with it. */
function Console({ identity }: { identity: Identity }) {
  const socket = useMemo(() => new Socket(auth), []);
  const client = useMemo(() => createClient(auth, socket), [socket]);
  useEffect(() => () => socket.close(), [socket]);
  return (
    <ViewerContext value={identity}>
      <SocketContext value={socket}>
        <Provider value={client}>
          <div className="flex h-dvh flex-col">
            <SkipLink />
            <OfflineBar socket={socket} />
            <div className="min-h-0 flex-1 overflow-y-auto">
              <Suspense fallback={<SkeletonRows count={6} className="h-6" />}>
                <Switch>
                  <Route path="/">
                    <Redirect to="/sessions" replace />
                  </Route>
                  <Route path="/queue" component={QueuePage} />
                  <Route path="/sessions">
                    <SessionsPage />
                  </Route>
                  <Route path="/sessions/:sessionId/:branchId?">
                    {({ sessionId, branchId }) => (
                      <SessionPage key={sessionId} sessionId={sessionId} branchId={branchId} />
                    )}
                  </Route>
                  <Route path="/library/:articleId?">
                    {({ articleId }) => <LibraryPage articleId={articleId} />}
                  </Route>
                  <Route path="/settings/:section?">
                    {({ section }) => <SettingsPage section={section} />}
                  </Route>
                  <Route component={NotFound} />
                </Switch>
              </Suspense>
            </div>
          </div>
        </Provider>
      </SocketContext>
    </ViewerContext>
  );
}
