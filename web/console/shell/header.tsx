import { Menu as MenuIcon } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Link, useRoute } from "wouter";
import { Avatar } from "../ui/avatar";
import { Menu, MenuItem } from "../ui/menu";
import { chooseShortcuts, hasShortcuts } from "../ui/shortcuts";
import { chooseTheme, type Theme, useTheme } from "./theme";
import { useAuth, useViewer } from "./viewer";

const PLACES = [
  { href: "/sessions", label: "Sessions" },
  { href: "/queue", label: "Queue" },
  { href: "/library", label: "Library" },
];

const THEMES: Record<Theme, string> = {
  system: "As the system",
  light: "Light",
  dark: "Dark",
};

/** The top of every page: where one is, what it is about, and who one is. */
export function Header({
  title,
  about,
  actions,
}: {
  title: string;
  /** Beside the title, in a few words. */
  about?: ReactNode;
  actions?: ReactNode;
}) {
  const isPlace = PLACES.some(({ label }) => label === title);
  useEffect(() => {
    document.title = `${title} · FlowPilot`;
  }, [title]);
  return (
    <header className="flex min-h-13 shrink-0 items-center gap-x-4 gap-y-1 border-b max-md:flex-wrap max-md:gap-x-2 bg-panel px-4 py-1.5">
      <Menu
        label="Go to"
        button={<MenuIcon aria-hidden className="size-4" />}
        className="size-8 md:hidden"
      >
        {PLACES.map(({ href, label }) => (
          <MenuItem key={href} href={href}>
            {label}
          </MenuItem>
        ))}
      </Menu>
      <Link href="/sessions" className="shrink-0 font-semibold max-sm:sr-only">
        FlowPilot
      </Link>
      <nav aria-label="Pages" className="hidden shrink-0 gap-1 md:flex">
        {PLACES.map((place) => (
          <Place key={place.href} {...place} />
        ))}
      </nav>
      {!isPlace && (
        <span aria-hidden className="hidden text-ink-3 md:inline">
          /
        </span>
      )}
      <h1
        className={`min-w-[12ch] md:max-w-[46ch] truncate md:shrink-[4] font-semibold max-md:flex-1 max-md:basis-3/5 ${isPlace ? "md:sr-only" : ""}`}
        title={title}
        dir="auto"
      >
        {title}
      </h1>
      {about && (
        <div className="flex min-w-0 items-center gap-x-3 overflow-hidden text-xs whitespace-nowrap text-ink-2 max-md:order-1 lg:shrink-0">
          {about}
        </div>
      )}
      <span className="hidden flex-1 md:inline" />
      <div className="flex shrink-0 items-center gap-2 empty:hidden max-md:order-1">{actions}</div>
      <Account />
    </header>
  );
}

function Place({ href, label }: { href: string; label: string }) {
  const [isHere] = useRoute(`${href}/*?`);
  return (
    <Link
      href={href}
      aria-current={isHere ? "page" : undefined}
      className={`rounded px-2 py-1 transition-colors hover:bg-hover ${isHere ? "bg-accent-soft font-medium text-ink" : "text-ink-2"}`}
    >
      {label}
    </Link>
  );
}

function Account() {
  const auth = useAuth();
  const viewer = useViewer();
  const theme = useTheme();
  const next: Theme = theme === "system" ? "dark" : theme === "dark" ? "light" : "system";
  const [isOn, setIsOn] = useState(hasShortcuts);
  function switchShortcuts(): void {
    chooseShortcuts(!isOn);
    setIsOn(!isOn);
  }
  return (
    <Menu
      label={`Account of ${viewer.name}`}
      button={<Avatar name={viewer.name} />}
      className="size-8"
    >
      <MenuItem href="/settings">Settings</MenuItem>
      <MenuItem onAction={() => chooseTheme(next)}>{`Theme: ${THEMES[theme]}`}</MenuItem>
      <MenuItem onAction={switchShortcuts}>
        {`Single-key shortcuts: ${isOn ? "on" : "off"}`}
      </MenuItem>
      <MenuItem onAction={() => window.location.assign("/graphql")}>GraphiQL</MenuItem>
      <MenuItem onAction={() => void auth.signOut()}>Sign out</MenuItem>
    </Menu>
  );
}
