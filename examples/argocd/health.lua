-- Health of a SealCluster for Argo CD (argocd-cm: resource.customizations.health.sealcluster.io_SealCluster).
-- Base library only: Argo CD gives a check nothing else.

local function verdict(status, message)
  return { status = status, message = message }
end

if obj.spec ~= nil and obj.spec.paused == true then
  return verdict("Suspended", "spec.paused is true: nothing is changed")
end

local status = obj.status or {}
local generation = obj.metadata ~= nil and obj.metadata.generation or nil
if generation ~= nil and status.observedGeneration ~= generation then
  return verdict("Progressing", "the operator has not seen this spec yet")
end

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type or ""] = condition
end

-- a person or a clock has to act, not the operator
local waiting = { AwaitingApproval = true, OutsideMaintenanceWindow = true }

-- the first row that holds decides
local rows = {
  { "Stalled", "True", "Degraded" },
  { "Reconciling", "True", "Progressing" },
  { "Ready", "True", "Healthy" },
  { "Ready", "False", "Degraded" },
}
for _, row in ipairs(rows) do
  local condition = found[row[1]]
  if condition ~= nil and condition.status == row[2] then
    local health = row[3]
    if health == "Progressing" and waiting[condition.reason or ""] then
      health = "Suspended"
    end
    local message = condition.message
    if message == nil or message == "" then
      message = condition.reason or row[1]
    end
    return verdict(health, message)
  end
end
return verdict("Progressing", "nothing has been observed yet")
