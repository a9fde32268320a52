import { useEffect, useRef } from "react";

const NEAR_PX = 80;

/** Keeps a box that grows at its end, unless the person has gone back up in it. */
export function useStayAtEnd(length: number) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [length]);
  return {
    box,
    onScroll: () => {
      const element = box.current;
      if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    },
  };
}
