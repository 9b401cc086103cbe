import { useMemo } from "react";
import { useLocation } from "wouter";
import type { Ways } from "./links";

/** Ways by the addresses of branches and messages, where nobody else says how to get there. */
export function useNavigation(sessionId: string): Ways {
  const [, navigate] = useLocation();
  return useMemo(
    () => ({
      sessionId,
      onShowBranch: (id) => navigate(`/sessions/${sessionId}/${id}`),
      onShowMessage: (branchId, id) => navigate(`/sessions/${sessionId}/${branchId}#${id}`),
    }),
    [sessionId, navigate],
  );
}
