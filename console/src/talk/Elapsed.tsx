import { useEffect, useState } from "react";
import { clock } from "@/calls/describe";

/** Time since it was put on the page. */
export function Elapsed() {
  const [milliseconds, setMilliseconds] = useState(0);
  useEffect(() => {
    const start = Date.now();
    const timer = setInterval(() => setMilliseconds(Date.now() - start), 500);
    return () => clearInterval(timer);
  }, []);
  return <span className="numbers text-sm">{clock(milliseconds)}</span>;
}
