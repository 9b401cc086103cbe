import { useCallback, useMemo, useRef, useState } from "react";
import { useSubscription } from "urql";
import { Redirect, useLocation } from "wouter";
import { useLive } from "../graph/use-live";
import { Header } from "../shell/header";
import { NotFound } from "../shell/not-found";
import { useViewer } from "../shell/viewer";
import { Failed, SkeletonRows } from "../ui/states";
import { forgetSent } from "./drafts";
import {
  MessageEventsDocument,
  type MessageEventsSubscription,
  SessionDocument,
  SessionEventsDocument,
  type SessionEventsSubscription,
} from "./operations";
import type { Transition } from "./place-bar";
import { SessionView } from "./session-view";
import type { Fresh } from "./use-conversation";
import { showMessage } from "./use-shown-message";

/** One session: its tree in one query, then live. */
export default function SessionPage({
  sessionId,
  branchId,
}: {
  sessionId: string;
  branchId: string | undefined;
}) {
  const [, navigate] = useLocation();
  const fresh = useRef<Fresh>(new Set());
  const [transition, setTransition] = useState<Transition | null>(null);

  const viewer = useViewer();
  const onEvent = (data: SessionEventsSubscription): void => {
    const event = data.sessionChanged;
    if (event.__typename !== "BranchSwitched") return;
    const { previousBranch, branch, actor } = event;
    setTransition({
      from: previousBranch.label,
      to: branch.label,
      by: actor?.id === viewer.id ? "You" : (actor?.displayName ?? "The assistant"),
    });
  };
  const live = useLive({
    query: SessionDocument,
    variables: useMemo(() => ({ id: sessionId }), [sessionId]),
    events: SessionEventsDocument,
    eventVariables: useMemo(() => ({ sessionId }), [sessionId]),
    onEvent,
    onReset: useCallback(() => fresh.current.clear(), []),
  });

  useSubscription(
    {
      query: MessageEventsDocument,
      variables: { sessionId, after: live.after },
      pause: live.after === undefined,
    },
    (_, data: MessageEventsSubscription) => {
      const event = data.sessionChanged;
      if (event.__typename === "MessageAdded" && event.message.author?.id === viewer.id) {
        const { branch, body } = event.message;
        queueMicrotask(() => forgetSent(branch.id, body));
      }
      return data;
    },
  );
  const session = live.data?.session;
  const show = useCallback(
    (to: string, messageId?: string) => {
      setTransition(null);
      navigate(`/sessions/${sessionId}/${to}${messageId ? `#${messageId}` : ""}`);
      if (messageId) showMessage(messageId);
    },
    [navigate, sessionId],
  );

  if (live.data && !session) return <NotFound />;
  if (!session) {
    return (
      <>
        <Header title="Session" />
        {live.error ? (
          <Failed what="The session" error={live.error} retry={live.reload} />
        ) : (
          <SkeletonRows count={8} className="h-8" />
        )}
      </>
    );
  }
  const shown = session.branches.find(({ id }) => id === branchId);
  // The viewer stays where they were, wherever the team goes.
  if (!shown) {
    const place = session.viewerBranch ?? session.activeBranch;
    return <Redirect to={`/sessions/${sessionId}/${place.id}${window.location.search}`} replace />;
  }
  return (
    <SessionView
      session={session}
      branches={session.branches}
      forkPoints={session.forkPoints}
      shown={shown}
      transition={transition}
      fresh={fresh.current}
      show={show}
    />
  );
}
