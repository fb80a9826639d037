-- Both plugins in Ardour: their latency when they are new, with another model, and in the session loaded again.
-- Arguments: a folder for the session. Prints lines "<when> <route> <latency>".
AudioEngine:set_backend("None (Dummy)", "", "")
local folder = os.getenv("PYVOCSEP_SESSION")
assert(create_session(folder, "session", 48000))

local function add(kind, id, name)
  local track
  local order, mode = ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal
  for each in Session:new_audio_track(2, 2, nil, 1, name, order, mode, true):iter() do track = each end
  local plugin = ARDOUR.LuaAPI.new_plugin(Session, id, kind, "")
  assert(not plugin:isnil(), "Ardour does not know " .. id)
  track:add_processor_by_index(plugin, 0, nil, true)
  return plugin
end

local function show(when)
  for route in Session:get_routes():iter() do
    local plugin = route:nth_plugin(0)
    if not plugin:isnil() then print(when, route:name(), plugin:to_insert():signal_latency()) end
  end
end

local plugins = {
  add(ARDOUR.PluginType.LV2, "urn:pyvocsep:stereo", "lv2"),
  add(ARDOUR.PluginType.VST3, "6E0B8F1D53C94A279F41D2A670B35CE8", "vst3"),
}
show("new")
for _, plugin in ipairs(plugins) do ARDOUR.LuaAPI.set_processor_param(plugin, 2, 1) end -- the model: gru
sleep(2)
show("changed")
Session:save_state("")
close_session()
assert(load_session(folder, "session"))
sleep(2)
show("loaded")
io.stdout:flush()
os.exit(0, false) -- closing everything in order takes Ardour's interpreter a minute
