import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';

/** The kinds that deploy/ has, as Kubernetes and the Prometheus operator publish them. */
const MODELS = {
  ConfigMap,
  ServiceAccount,
  Service,
  Deployment,
  HorizontalPodAutoscaler,
  PodDisruptionBudget,
  NetworkPolicy,
  ServiceMonitor,
  PrometheusRule,
} as const;
type Kind = keyof typeof MODELS;

/** The published type of a kind. */
export type ApiObject<K extends Kind> = InstanceType<(typeof MODELS)[K]>;

/**
 * Holds an object against the schema that its API publishes. That refuses what has the wrong type or is missing, and
 * lets pass what it does not know.
 * @throws Error that says which field is wrong
 */
export function checkWithApi(object: unknown): void {
  const { apiVersion, kind } = object as { apiVersion: string; kind: Kind };
  const ApiModel = MODELS[kind];
  if (ApiModel?.apiVersion !== apiVersion) throw new Error(`no schema for ${kind} of ${apiVersion}`);
  new ApiModel(object as never).validate();
}

/** The fields of a type that the API's has not at the same place; `never` when it has them all. */
export type UnknownFields<Ours, Api> = Ours extends readonly (infer OurItem)[]
  ? Api extends readonly (infer ApiItem)[]
    ? UnknownFields<OurItem, NonNullable<ApiItem>>
    : 'a list'
  : Ours extends object
    ? {
        [Field in keyof Ours]-?: Field extends keyof Api
          ? UnknownFields<NonNullable<Ours[Field]>, NonNullable<Api[Field]>>
          : Field;
      }[keyof Ours]
    : never;
