import { everyPage } from "./pages";

everyPage("fr");
