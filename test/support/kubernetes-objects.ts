import { z } from 'zod';
import { type ApiObject, checkWithApi, type UnknownFields } from './kubernetes-api.ts';

/**
 * As much of the Kubernetes API as deploy/ uses, in strict objects, so that a field that is misspelt or in the wrong
 * place is found; the API server would ignore it, or refuse it only when it is too late. After the API reference of
 * Kubernetes 1.30, the oldest that knows all of these fields. The compiler holds their names, and
 * {@link readKubernetesObjects} the objects, against what the API publishes.
 */

const labels = z.record(z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9._-]{1,63}$/), z.string().max(63));
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const port = z.int().min(1).max(65_535);
const portOrName = z.union([port, name]);
const seconds = z.int().min(0);

const metadata = z.strictObject({
  name,
  labels: labels.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

const selector = z
  .strictObject({
    matchLabels: labels.optional(),
    matchExpressions: z
      .array(
        z.strictObject({
          key: z.string(),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(z.string()).optional(),
        }),
      )
      .optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'an empty selector selects everything');

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port: portOrName }),
  periodSeconds: seconds.default(10),
  timeoutSeconds: seconds.default(1),
  failureThreshold: z.int().min(1).default(3),
});

const quantity = z.string().regex(/^\d+(m|Mi|Gi)?$/);
const resources = z.strictObject({
  requests: z.strictObject({ cpu: quantity, memory: quantity }),
  limits: z.strictObject({ cpu: quantity.optional(), memory: quantity }),
});

const container = z.strictObject({
  name,
  image: z.string(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
  ports: z.array(z.strictObject({ name: name.optional(), containerPort: port })).default([]),
  lifecycle: z.strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds }) }) }).optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: resources.optional(),
  securityContext: z
    .strictObject({
      runAsNonRoot: z.boolean().optional(),
      runAsUser: z.int().optional(),
      runAsGroup: z.int().optional(),
      readOnlyRootFilesystem: z.boolean().optional(),
      allowPrivilegeEscalation: z.boolean().optional(),
      capabilities: z.strictObject({ drop: z.array(z.string()) }).optional(),
    })
    .optional(),
  volumeMounts: z
    .array(
      z.strictObject({
        name,
        mountPath: z.string().startsWith('/'),
        readOnly: z.boolean().optional(),
        subPath: z.string().optional(),
      }),
    )
    .default([]),
});
export type Container = z.output<typeof container>;

const volume = z.strictObject({
  name,
  configMap: z.strictObject({ name }).optional(),
  projected: z
    .strictObject({
      sources: z.array(
        z.strictObject({
          serviceAccountToken: z.strictObject({
            audience: z.string(),
            expirationSeconds: z.int().min(600),
            path: z.string(),
          }),
        }),
      ),
    })
    .optional(),
});

const pod = z.strictObject({
  serviceAccountName: name.optional(),
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  terminationGracePeriodSeconds: seconds.default(30),
  securityContext: z
    .strictObject({
      seccompProfile: z.strictObject({ type: z.enum(['RuntimeDefault', 'Unconfined']) }),
      fsGroup: z.int().optional(),
    })
    .optional(),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        topologyKey: z.string(),
        maxSkew: z.int().min(1),
        whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
        labelSelector: selector,
      }),
    )
    .optional(),
  containers: z.array(container).min(1),
  volumes: z.array(volume).default([]),
});

const networkPeer = z.strictObject({
  podSelector: selector.optional(),
  namespaceSelector: selector.optional(),
});
const networkPorts = z.array(
  z.strictObject({ port: portOrName, protocol: z.enum(['TCP', 'UDP']).default('TCP') }),
);

const kind = <K extends string, V extends string, S extends z.ZodRawShape>(
  apiVersion: V,
  kindName: K,
  shape: S,
) => z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(kindName), metadata, ...shape });

/** One object of any kind that deploy/ has. */
const kubernetesObject = z.discriminatedUnion('kind', [
  kind('v1', 'ConfigMap', { data: z.record(z.string(), z.string()) }),
  kind('v1', 'ServiceAccount', { automountServiceAccountToken: z.boolean().optional() }),
  kind('v1', 'Service', {
    spec: z.strictObject({
      clusterIP: z.literal('None').optional(),
      publishNotReadyAddresses: z.boolean().optional(),
      selector: labels,
      ports: z.array(z.strictObject({ name: name.optional(), port, targetPort: portOrName })).min(1),
    }),
  }),
  kind('apps/v1', 'Deployment', {
    spec: z.strictObject({
      replicas: z.int().optional(),
      selector,
      strategy: z
        .strictObject({
          rollingUpdate: z.strictObject({ maxSurge: z.int(), maxUnavailable: z.int() }),
        })
        .optional(),
      template: z.strictObject({ metadata: z.strictObject({ labels }), spec: pod }),
    }),
  }),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({
        apiVersion: z.literal('apps/v1'),
        kind: z.literal('Deployment'),
        name,
      }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      metrics: z
        .array(
          z.strictObject({
            type: z.literal('ContainerResource'),
            containerResource: z.strictObject({
              container: name,
              name: z.enum(['cpu', 'memory']),
              target: z.strictObject({
                type: z.literal('Utilization'),
                averageUtilization: z.int().max(100),
              }),
            }),
          }),
        )
        .min(1),
      behavior: z.strictObject({ scaleDown: z.strictObject({ stabilizationWindowSeconds: seconds }) }),
    }),
  }),
  kind('policy/v1', 'PodDisruptionBudget', {
    spec: z.strictObject({
      maxUnavailable: z.int().min(1),
      unhealthyPodEvictionPolicy: z.enum(['AlwaysAllow', 'IfHealthyBudget']).optional(),
      selector,
    }),
  }),
  kind('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: z.strictObject({
      podSelector: selector,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])).min(1),
      ingress: z
        .array(z.strictObject({ from: z.array(networkPeer).min(1).optional(), ports: networkPorts }))
        .optional(),
      egress: z
        .array(z.strictObject({ to: z.array(networkPeer).min(1).optional(), ports: networkPorts }))
        .optional(),
    }),
  }),
  kind('monitoring.coreos.com/v1', 'ServiceMonitor', {
    spec: z.strictObject({
      jobLabel: z.string(),
      selector,
      endpoints: z
        .array(
          z.strictObject({
            port: name,
            path: z.string().startsWith('/'),
            interval: z.string().regex(/^\d+s$/),
          }),
        )
        .min(1),
    }),
  }),
]);
type KubernetesObject = z.output<typeof kubernetesObject>;
type KubernetesKind = KubernetesObject['kind'];

/** Names of fields that are in the schemas above, and in no API; there are none. */
export type InventedFields = {
  [K in KubernetesKind]: UnknownFields<Extract<KubernetesObject, { kind: K }>, ApiObject<K>>;
}[KubernetesKind];

/** Checked objects, to be asked for by their kinds. */
export interface KubernetesObjects {
  all<K extends KubernetesKind>(kind: K): Extract<KubernetesObject, { kind: K }>[];
  /** The only one of its kind. */
  one<K extends KubernetesKind>(kind: K): Extract<KubernetesObject, { kind: K }>;
}

/** @throws Error that says which field of which object is wrong */
export function readKubernetesObjects(objects: readonly unknown[]): KubernetesObjects {
  for (const object of objects) checkWithApi(object);
  const checked = z.array(kubernetesObject).parse(objects);
  const all: KubernetesObjects['all'] = (wanted) =>
    checked.filter(
      (object): object is Extract<KubernetesObject, { kind: typeof wanted }> => object.kind === wanted,
    );
  return {
    all,
    one(wanted) {
      const found = all(wanted);
      const [first] = found;
      if (first === undefined || found.length > 1) throw new Error(`${found.length} of kind ${wanted}`);
      return first;
    },
  };
}
