import { alerts } from "../features/alerts/words_en";
import { audit } from "../features/audit/words_en";
import { channels } from "../features/channels/words_en";
import { customers } from "../features/customers/words_en";
import { addNode, changeNode, node, sparklines } from "../features/nodes/words_en";
import { overview } from "../features/overview/words_en";
import { login, password, sessions } from "../features/sessions/words_en";
import { team } from "../features/team/words_en";
import { tokens } from "../features/tokens/words_en";
import { users } from "../features/users/words_en";
import { documentTitle, navigation } from "../shell/words_en";
import { common, connection, problem, reach, ruleNames, status } from "../ui/words_en";
import { service } from "../live/words_en";
import { answers, failures, field, reasons, unresolved } from "./reasons_en";

/** Every sentence of the portal in English. Its shape is the type that other languages must fill. */
export const en = {
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

export type Dictionary = typeof en;
