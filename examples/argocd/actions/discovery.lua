-- Actions on a SealCluster in Argo CD, and which of them make sense now.

local paused = obj.spec ~= nil and obj.spec.paused == true
local status = obj.status or {}

-- something failed, whether it waits for a person or is tried again by itself
local failing = status.lastFailure ~= nil
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Stalled" and condition.status == "True" then
    failing = true
  end
end

return {
  ["pause"] = { ["disabled"] = paused, ["iconClass"] = "fa fa-fw fa-pause" },
  ["resume"] = { ["disabled"] = not paused, ["iconClass"] = "fa fa-fw fa-play" },
  ["retry"] = { ["disabled"] = paused or not failing, ["iconClass"] = "fa fa-fw fa-redo" },
}
