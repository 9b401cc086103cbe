import type { Role, Scope } from "./operations";

export const ROLES: Record<Role, { label: string; may: string }> = {
  ENGINEER: {
    label: "Engineer",
    may: "Starts sessions, claims what waits, and works on what is assigned to them.",
  },
  LEAD: {
    label: "Lead",
    may: "Works in every session, too, and gives sessions to others.",
  },
  ADMIN: {
    label: "Admin",
    may: "Does all that, manages members, keys, connections and targets, and reads the audit.",
  },
};

export const SCOPES: Record<Scope, { label: string; may: string }> = {
  READ: { label: "Read", may: "Reads everything of the account. Every key does." },
  WRITE: { label: "Write", may: "Works in every session, as a lead does, but claims none." },
  ADMIN: { label: "Admin", may: "Manages members, keys, connections and targets." },
};

export const PASSWORD_LENGTH = "12 to 200 characters.";
