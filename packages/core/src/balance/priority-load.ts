// How much load each priority takes, and which ones are in panic (Envoy: load_balancer_impl.cc, LoadBalancerBase::recalculate*).

/** Hosts of one priority, by count (or by summed weight where priority health is weighted). */
export interface PriorityHealth {
  readonly hosts: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Hosts that don't count at all (warming). */
  readonly excluded: number;
}

export interface PriorityLoad {
  /** Percent for the healthy hosts of each priority, and for the degraded ones; together 100. */
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  /** In panic a priority's load goes to all its hosts, healthy or not. */
  readonly panic: readonly boolean[];
}

export function priorityLoad(
  priorities: readonly PriorityHealth[],
  overprovisioningFactor: number,
  panicThresholdPercent: number,
): PriorityLoad {
  const availability = (priority: PriorityHealth, usable: number) => {
    const counted = priority.hosts - priority.excluded;
    return counted > 0 ? Math.min(100, Math.floor((overprovisioningFactor * usable) / counted)) : 0;
  };
  const health = priorities.map((priority) => availability(priority, priority.healthy));
  const degradedHealth = priorities.map((priority) => availability(priority, priority.degraded));
  const total = Math.min(100, sum(health) + sum(degradedHealth));
  const panic = priorities.map((priority) => total < 100 && isInPanic(priority, panicThresholdPercent));
  if (panicThresholdPercent > 0 && (total === 0 || panic.every(Boolean))) return loadByHostCount(priorities);
  if (total === 0)
    return { healthy: priorities.map((_, index) => (index === 0 ? 100 : 0)), degraded: priorities.map(() => 0), panic };
  const healthy = distribute(health, 100, total);
  const degraded = distribute(degradedHealth, 100 - sum(healthy), total);
  // What remains is rounding: the first usable priority takes it.
  const remaining = 100 - sum(healthy) - sum(degraded);
  const firstHealthy = health.findIndex((value) => value > 0);
  if (firstHealthy >= 0) healthy[firstHealthy] = (healthy[firstHealthy] ?? 0) + remaining;
  else {
    const firstDegraded = degradedHealth.findIndex((value) => value > 0);
    degraded[firstDegraded] = (degraded[firstDegraded] ?? 0) + remaining;
  }
  return { healthy, degraded, panic };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function distribute(availability: readonly number[], load: number, totalAvailability: number): number[] {
  let remaining = load;
  return availability.map((value) => {
    const share = Math.min(remaining, Math.floor((value * 100) / totalAvailability));
    remaining -= share;
    return share;
  });
}

function isInPanic(priority: PriorityHealth, thresholdPercent: number): boolean {
  const counted = priority.hosts - priority.excluded;
  const usablePercent = counted > 0 ? (100 * (priority.healthy + priority.degraded)) / counted : 0;
  return usablePercent < thresholdPercent;
}

/** Total panic: health says nothing any more, so the number of hosts decides. */
function loadByHostCount(priorities: readonly PriorityHealth[]): PriorityLoad {
  const hosts = sum(priorities.map((priority) => priority.hosts));
  const healthy = priorities.map((priority) => (hosts > 0 ? Math.floor((100 * priority.hosts) / hosts) : 0));
  const first = Math.max(
    0,
    priorities.findIndex((priority) => priority.hosts > 0),
  );
  if (priorities.length > 0) healthy[first] = (healthy[first] ?? 0) + 100 - sum(healthy);
  return { healthy, degraded: priorities.map(() => 0), panic: priorities.map(() => true) };
}
