// What reading configuration gives: the objects that are in force, what was refused, and why.
import type { ConfigObject } from './config-object.js';
import type { Finding } from './finding.js';

export interface LoadedConfig {
  /** Valid objects of the kinds that Heddle reads, in reading order, one for each kind, namespace and name. */
  readonly objects: readonly ConfigObject[];
  /** Objects of known kinds that break their schema. They are not in force; a finding of level error names each fault. */
  readonly rejected: readonly RejectedObject[];
  /** Objects of kinds that Heddle does not act on (Deployment, ConfigMap, …); their data is kept for workloads only. */
  readonly unread: readonly ConfigObject[];
  /** What reading and validation found; `checkConfig` adds the analysis of how objects fit together. */
  readonly findings: readonly Finding[];
  /** Every file that was read, as the user gave it or as found below a folder. */
  readonly files: readonly string[];
}

export interface RejectedObject {
  readonly object: ConfigObject;
  /** All values have the types of the schema, so that the object can be analysed further in spite of its other faults. */
  readonly wellTyped: boolean;
}
