import {
  Braces,
  Cable,
  Gauge,
  KeyRound,
  type LucideIcon,
  ScrollText,
  Timer,
  UserRound,
  UsersRound,
} from "lucide-react";
import { type ComponentType, lazy } from "react";
import { persistently } from "../shell/persistently";
import type { SettingsViewerQuery } from "./operations";

export type SettingsViewer = SettingsViewerQuery["viewer"];

export interface SectionProps {
  viewer: SettingsViewer;
  isAdmin: boolean;
}

interface SectionEntry {
  id: string;
  label: string;
  icon: LucideIcon;
  isForAdmins?: true;
  view: ComponentType<SectionProps>;
}

/** Each is loaded when it is opened. */
function part(load: () => Promise<{ default: ComponentType<SectionProps> }>) {
  return lazy(persistently(load));
}

export const SECTIONS: [SectionEntry, ...SectionEntry[]] = [
  { id: "you", label: "You", icon: UserRound, view: part(() => import("./you")) },
  { id: "members", label: "Members", icon: UsersRound, view: part(() => import("./members")) },
  {
    id: "api-keys",
    label: "API keys",
    icon: KeyRound,
    isForAdmins: true,
    view: part(() => import("./api-keys")),
  },
  {
    id: "connections",
    label: "Connections",
    icon: Cable,
    view: part(() => import("./connections")),
  },
  {
    id: "service-targets",
    label: "Service targets",
    icon: Timer,
    view: part(() => import("./service-targets")),
  },
  { id: "usage", label: "Usage", icon: Gauge, view: part(() => import("./usage")) },
  {
    id: "audit",
    label: "Audit",
    icon: ScrollText,
    isForAdmins: true,
    view: part(() => import("./audit")),
  },
  { id: "api", label: "API", icon: Braces, view: part(() => import("./api")) },
];
