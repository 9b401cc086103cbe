import "./theme.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { applyTheme } from "./shell/theme";

applyTheme();
const root = document.getElementById("page");
if (!root) throw new Error("The page has no element to draw into.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
