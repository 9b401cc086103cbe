import { useState } from "react";

const KEY = "flowpilot.foldedHandoffs";
const KEPT = 50;

/** Whether the viewer has folded what is told of a handoff; remembered on this device, for the latest ones. */
export function useFolded(handoffId: string): [boolean, (isFolded: boolean) => void] {
  const [isFolded, setIsFolded] = useState(() => foldedOnes().includes(handoffId));
  function fold(folds: boolean): void {
    const others = foldedOnes().filter((id) => id !== handoffId);
    localStorage.setItem(
      KEY,
      JSON.stringify([...(folds ? [handoffId] : []), ...others].slice(0, KEPT)),
    );
    setIsFolded(folds);
  }
  return [isFolded, fold];
}

function foldedOnes(): string[] {
  return JSON.parse(localStorage.getItem(KEY) ?? "[]") as string[];
}
