{{- define "sealcluster.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sealcluster.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "sealcluster.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sealcluster.selector" -}}
app.kubernetes.io/name: {{ include "sealcluster.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sealcluster.labels" -}}
{{ include "sealcluster.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sealcluster.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sealcluster.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sealcluster.image" -}}
{{- $image := .Values.image }}
{{- $name := required "image.repository: say where the operator's image is; make image builds it, push it to a registry of yours" $image.repository }}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* What the operator does with the API of the management cluster, verb by verb, and nothing else. */}}
{{- define "sealcluster.rules" -}}
- apiGroups: [sealcluster.io]
  resources: [sealclusters]
  verbs: [get, list, watch, patch]
- apiGroups: [sealcluster.io]
  resources: [sealclusters/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "sealcluster.hasExtraCA" -}}
{{- if or .Values.extraCA.pem .Values.extraCA.configMap.name .Values.extraCA.secret.name }}true{{ end }}
{{- end }}
