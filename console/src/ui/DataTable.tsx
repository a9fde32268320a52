import type { ReactNode } from "react";
import { classes } from "./classes";

export interface Column<T> {
  key: string;
  label: string;
  cell: (item: T) => ReactNode;
  /** Left out on narrow screens, where the row is a card. */
  wideOnly?: boolean;
  numeric?: boolean;
}

interface DataTableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  items: readonly T[];
  keyOf: (item: T) => string;
}

/** A table on wide screens, and the same rows as cards on narrow ones. */
export function DataTable<T>({ caption, columns, items, keyOf }: DataTableProps<T>) {
  return (
    <div className="card overflow-hidden">
      <table className="block w-full text-left md:table">
        <caption className="sr-only">{caption}</caption>
        <thead className="hidden border-b border-line bg-surface md:table-header-group">
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={classes("eyebrow px-4 py-2.5", column.numeric && "text-right")}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="block divide-y divide-line md:table-row-group">
          {items.map((item) => (
            <tr key={keyOf(item)} className="relative grid gap-1 px-4 py-3 transition-colors hover:bg-brand-wash/50 md:table-row md:px-0 md:py-0">
              {columns.map((column) => (
                <td key={column.key} className={classes("min-w-0 md:px-4 md:py-3.5", column.wideOnly && "hidden md:table-cell", column.numeric && "numbers md:text-right")}>
                  {column.cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
