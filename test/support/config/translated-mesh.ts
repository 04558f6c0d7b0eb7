// YAML -> what one workload of the mesh would be sent, for tests of translation.
import { type TranslatedResources, type Workload, buildMeshView, loadText, translate } from '@heddle/config';
import type { MeshSettings } from '@heddle/config';

export interface MeshInput {
  readonly yaml: string;
  readonly workload?: Partial<Workload>;
  readonly settings?: Partial<MeshSettings>;
}

/** Throws when the YAML has errors: a test that means to translate must not silently translate less. */
export function translatedMesh({ yaml, workload, settings }: MeshInput): TranslatedResources {
  const { objects, findings } = loadText(yaml, 'mesh.yaml');
  const errors = findings.filter((finding) => finding.level === 'error');
  if (errors.length > 0) throw new Error(errors.map((finding) => finding.message).join('\n'));
  return translate(buildMeshView(objects, settings), testWorkload(workload));
}

export function testWorkload(parts: Partial<Workload> = {}): Workload {
  return {
    namespace: 'default',
    name: 'client-1',
    labels: { app: 'client' },
    serviceAccount: 'client',
    addresses: [],
    locality: { region: '', zone: '', subZone: '' },
    clusterId: 'Kubernetes',
    trustDomain: 'cluster.local',
    clusterDomain: 'cluster.local',
    ...parts,
  };
}
