import { alerts } from "../features/alerts/words_es";
import { audit } from "../features/audit/words_es";
import { channels } from "../features/channels/words_es";
import { customers } from "../features/customers/words_es";
import { addNode, changeNode, node, sparklines } from "../features/nodes/words_es";
import { overview } from "../features/overview/words_es";
import { login, password, sessions } from "../features/sessions/words_es";
import { team } from "../features/team/words_es";
import { tokens } from "../features/tokens/words_es";
import { users } from "../features/users/words_es";
import { documentTitle, navigation } from "../shell/words_es";
import { common, connection, problem, reach, ruleNames, status } from "../ui/words_es";
import { service } from "../live/words_es";
import { answers, failures, field, reasons, unresolved } from "./reasons_es";
import type { Dictionary } from "./en";

/** Todas las frases del portal en español. El tipo obliga a que no falte ninguna. */
export const es: Dictionary = {
  ...common,
  ...service,
  ...sparklines,
  addNode,
  alerts,
  answers,
  audit,
  changeNode,
  channels,
  connection,
  customers,
  documentTitle,
  failures,
  field,
  login,
  navigation,
  node,
  overview,
  password,
  problem,
  reach,
  reasons,
  ruleNames,
  sessions,
  status,
  team,
  tokens,
  unresolved,
  users,
};
