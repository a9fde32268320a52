import { shell } from "./shell";
import { errors } from "./errors";
import { fields } from "./fields";
import { agents } from "./agents";
import { actions } from "./actions";
import { starters } from "./starters";
import { path } from "./path";
import { failover } from "./failover";
import { calls } from "./calls";
import { connections } from "./connections";
import { settings } from "./settings";
import { workflows } from "./workflows";
import { talk } from "./talk";
import { knowledge } from "./knowledge";

export const fr = { ...shell, ...errors, ...fields, ...agents, ...actions, ...starters, ...path, ...failover, ...calls, ...connections, ...settings, ...workflows, ...talk, ...knowledge };
