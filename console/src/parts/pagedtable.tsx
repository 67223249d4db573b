import { Group, Pagination, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useText } from '../i18n';
import { ErrorNote, Nothing, Waiting } from './common';

export interface Column<Row> {
  title: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Figures and times stand under each other. */
  figures?: boolean;
  width?: number;
}

interface PagerProps {
  /** Of all rows; null where the server does not say: then there is a next page while this one is full. */
  total: number | null;
  shown: number;
  rowsPerPage: number;
  page: number;
  onPage: (page: number) => void;
}

/** How many there are, and the pages of them. */
export function Pager({ total, shown, rowsPerPage, page, onPage }: PagerProps) {
  const t = useText();
  const names: Record<string, string> = { previous: t('上一页', 'Previous page'), next: t('下一页', 'Next page'), first: t('第一页', 'First page'), last: t('最后一页', 'Last page') };
  const pages = total === null ? page + (shown === rowsPerPage ? 1 : 0) : Math.max(1, Math.ceil(total / rowsPerPage));
  return (
    <Group justify="space-between" mt="sm">
      <Text size="sm" c="dimmed">
        {total !== null && t(`共 ${total} 条`, `${total} in all`)}
      </Text>
      {pages > 1 && <Pagination total={pages} value={page} onChange={onPage} getControlProps={(control) => ({ 'aria-label': names[control] })} getItemProps={(item) => ({ 'aria-label': t(`第 ${item} 页`, `Page ${item}`) })} />}
    </Group>
  );
}

interface Props<Row> extends Omit<PagerProps, 'shown'> {
  columns: Column<Row>[];
  /** undefined while the first page is on its way. */
  rows: Row[] | undefined;
  rowKey: (row: Row) => string | number;
  error?: unknown;
  /** Said where there are no rows. */
  nothing: string;
  minWidth: number;
}

/** A table that is fetched page by page, with all it says while there is nothing to show. */
export function PagedTable<Row>({ columns, rows, rowKey, error, nothing, minWidth, ...pager }: Props<Row>) {
  return (
    <>
      <ErrorNote error={error} />
      {!rows && !error && <Waiting />}
      {rows?.length === 0 && pager.page === 1 && <Nothing>{nothing}</Nothing>}
      {rows && (rows.length > 0 || pager.page > 1) && (
        <>
          <Table.ScrollContainer minWidth={minWidth} tabIndex={0}>
            <Table highlightOnHover verticalSpacing={4}>
              <Table.Thead>
                <Table.Tr>
                  {columns.map(({ title }, index) => (title === '' ? <Table.Td key={index} /> : <Table.Th key={index}>{title}</Table.Th>))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((row) => (
                  <Table.Tr key={rowKey(row)}>
                    {columns.map(({ cell, figures, width }, index) => (
                      <Table.Td key={index} className={figures ? 'num' : undefined} w={width}>
                        {cell(row)}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Pager {...pager} shown={rows.length} />
        </>
      )}
    </>
  );
}
