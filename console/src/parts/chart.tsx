import { useComputedColorScheme } from '@mantine/core';
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';

echarts.use([LineChart, BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

// Told apart by those who see few colours as well (Okabe and Ito 2008), darker on white.
const LIGHT = ['#0072b2', '#d55e00', '#007a5a', '#b0528a', '#8a6d00', '#2a9fd6', '#444444', '#7a3fb0'];
const DARK = ['#56b4e9', '#e69f00', '#2fd3a3', '#e58fc0', '#f0e442', '#9ec9ff', '#cccccc', '#c9a3ff'];

export interface Series {
  name: string;
  /** [label of the time, value]; null where nothing was measured. */
  points: [string, number | null][];
  dashed?: boolean;
}

interface Props {
  title: string;
  unit: string;
  labels: string[];
  series: Series[];
  kind?: 'line' | 'bar';
}

export function Chart({ title, unit, labels, series, kind = 'line' }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const made = echarts.init(holder.current!, scheme === 'dark' ? 'dark' : undefined, { renderer: 'canvas' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(holder.current!);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, [scheme]);
  useEffect(() => {
    chart.current?.setOption(
      {
        backgroundColor: 'transparent',
        color: scheme === 'dark' ? DARK : LIGHT,
        animation: false,
        tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => (value === null || value === undefined ? '–' : `${String(value)} ${unit}`) },
        legend: { type: 'scroll', top: 0 },
        grid: { left: 48, right: 16, top: 36, bottom: 28 },
        xAxis: { type: 'category', data: labels },
        yAxis: { type: 'value', name: unit, nameTextStyle: { align: 'right' }, min: 0 },
        series: series.map((one) => {
          const values = new Map(one.points);
          return { name: one.name, type: kind, connectNulls: false, showSymbol: one.points.length < 60, lineStyle: { type: one.dashed ? 'dashed' : 'solid', width: 2 }, data: labels.map((label) => values.get(label) ?? null) };
        }),
      },
      { notMerge: true },
    );
  }, [labels, series, unit, kind, scheme]);
  return <div ref={holder} style={{ height: 260 }} role="img" aria-label={title} />;
}
