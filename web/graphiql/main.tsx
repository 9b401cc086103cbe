import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./page.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Page } from "./page";

const root = document.getElementById("page");
if (!root) throw new Error("The page has no element to draw into.");
createRoot(root).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
