// The form of a case in the grid: configuration in, (message, object, line) out.

export interface AnalysisCase {
  readonly title: string;
  readonly yaml: string;
  /** The complete set of findings, `name object line` in the order of the file; findings of level info count where one is listed. */
  readonly finds: readonly string[];
  /** Text of the first suggestion. */
  readonly suggests?: string;
}

/** A Service with its ports, and workloads of two versions. */
export const reviews = `apiVersion: v1
kind: Service
metadata: {name: reviews}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-v1, labels: {app: reviews, version: v1}}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-v2, labels: {app: reviews, version: v2}}
---
`;

/** A VirtualService for the host reviews with the given rules, on line 1 when it leads the text. */
export function virtualServiceYaml(rules: string, name = 'reviews'): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: [reviews]
  http:
${rules.replace(/^(?=.)/gm, '  ')}
`;
}
