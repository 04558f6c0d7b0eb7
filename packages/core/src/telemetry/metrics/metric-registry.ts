// Metrics of other rooms (feed connected, certificate expiry, ejections): a name, a help text and a function that is asked at each scrape.
import { MeshError } from '../../errors.js';

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly value: number;
}

/** Called at each scrape; a number stands for one sample without labels. */
export type MetricCollector = () => number | Iterable<MetricSample>;

export interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly collect: MetricCollector;
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export class MetricRegistry {
  readonly #metrics = new Map<string, RegisteredMetric>();

  /**
   * Adds a metric and returns the function that removes it.
   * @throws MeshError CONFIG_INVALID when the name is malformed or taken.
   */
  register(metric: RegisteredMetric): () => void {
    if (!METRIC_NAME.test(metric.name))
      throw new MeshError('CONFIG_INVALID', `metric name ${metric.name} is malformed`);
    if (this.#metrics.has(metric.name)) throw new MeshError('CONFIG_INVALID', `metric ${metric.name} exists already`);
    this.#metrics.set(metric.name, metric);
    return () => {
      if (this.#metrics.get(metric.name) === metric) this.#metrics.delete(metric.name);
    };
  }

  clear(): void {
    this.#metrics.clear();
  }

  all(): readonly RegisteredMetric[] {
    return [...this.#metrics.values()];
  }
}

/** The samples of a metric; undefined when its collector failed, so that one bad metric does not spoil the scrape. */
export function collectSamples(metric: RegisteredMetric): readonly MetricSample[] | undefined {
  try {
    const collected = metric.collect();
    if (typeof collected === 'number') return [{ value: collected }];
    return [...collected].filter(({ labels }) => Object.keys(labels ?? {}).every((name) => LABEL_NAME.test(name)));
  } catch {
    return undefined;
  }
}
