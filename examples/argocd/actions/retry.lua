-- A new value of this annotation makes the operator forget what failed and look again now.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["sealcluster.io/retry"] = os.date("!%Y-%m-%dT%XZ")
return obj
