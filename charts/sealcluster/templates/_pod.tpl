{{- define "sealcluster.env" -}}
{{- $operator := .Values.operator -}}
- name: SEALCLUSTER_INSTANCE
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: SEALCLUSTER_NAMESPACES
  value: {{ join "," .Values.watch.namespaces | quote }}
- name: SEALCLUSTER_LISTEN_ADDRESS
  value: {{ $operator.listenAddress | quote }}
- name: SEALCLUSTER_LISTEN_PORT
  value: {{ $operator.listenPort | quote }}
- name: SEALCLUSTER_LOG_FORMAT
  value: {{ $operator.logFormat }}
- name: SEALCLUSTER_LOG_LEVEL
  value: {{ $operator.logLevel }}
- name: SEALCLUSTER_EXIT_SECONDS
  value: {{ $operator.exitSeconds | quote }}
- name: SEALCLUSTER_STORE
  value: /var/lib/sealcluster/store
- name: SEALCLUSTER_STORE_LIMIT
  value: {{ .Values.contentStore.limit | quote }}
- name: SEALCLUSTER_ARCHIVES
  value: /var/lib/sealcluster/archives
{{- with $operator.insecureRegistries }}
- name: SEALCLUSTER_INSECURE_REGISTRIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if include "sealcluster.hasExtraCA" . }}
- name: SEALCLUSTER_EXTRA_CA
  value: /etc/sealcluster/ca/extra.pem
{{- end }}
{{- if .Values.proxy.secret.name }}
- name: SEALCLUSTER_PROXY
  valueFrom:
    secretKeyRef: {{- toYaml .Values.proxy.secret | nindent 6 }}
{{- else if .Values.proxy.url }}
- name: SEALCLUSTER_PROXY
  value: {{ .Values.proxy.url | quote }}
{{- end }}
{{- with .Values.proxy.noProxy }}
- name: SEALCLUSTER_NO_PROXY
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.argocd.namespace }}
- name: SEALCLUSTER_ARGOCD_NAMESPACE
  value: {{ . }}
{{- end }}
{{- with $operator.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sealcluster.mounts" -}}
- name: data
  mountPath: /var/lib/sealcluster
- name: tmp
  mountPath: /tmp
{{- if .Values.archives.existingClaim }}
- name: archives
  mountPath: /var/lib/sealcluster/archives
  readOnly: true
{{- end }}
{{- if include "sealcluster.hasExtraCA" . }}
- name: extra-ca
  mountPath: /etc/sealcluster/ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "sealcluster.volumes" -}}
{{- $store := .Values.contentStore -}}
- name: data
  {{- if $store.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-store" (include "sealcluster.fullname" .)) $store.persistence.existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $store.ephemeralSize }}
  {{- end }}
# Keys of clusters pass through here while a connection is made: in memory only.
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 32Mi
{{- with .Values.archives.existingClaim }}
- name: archives
  persistentVolumeClaim:
    claimName: {{ . }}
    readOnly: true
{{- end }}
{{- $ca := .Values.extraCA }}
{{- if include "sealcluster.hasExtraCA" . }}
- name: extra-ca
  {{- if $ca.secret.name }}
  secret:
    secretName: {{ $ca.secret.name }}
    items: [{key: {{ $ca.secret.key }}, path: extra.pem}]
  {{- else }}
  configMap:
    name: {{ default (printf "%s-ca" (include "sealcluster.fullname" .)) $ca.configMap.name }}
    items: [{key: {{ ternary $ca.configMap.key "ca.crt" (ne $ca.configMap.name "") }}, path: extra.pem}]
  {{- end }}
{{- end }}
{{- end }}
