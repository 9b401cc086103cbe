import { Header } from "../shell/header";

export default function SettingsPage(_: Record<string, unknown>) {
  return <Header title="SettingsPage" />;
}
