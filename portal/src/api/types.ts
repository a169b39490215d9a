import type { Schemas } from "./client";

/** The contract's shapes by the names that pages know them by. */
export type Session = Schemas["Session"];
export type Overview = Schemas["Overview"];
export type OverviewCustomer = Schemas["OverviewCustomer"];
export type OverviewNode = Schemas["OverviewNode"];
export type Alert = Schemas["Alert"];
export type Customer = Schemas["Customer"];
export type Token = Schemas["Token"];
export type CreatedToken = Schemas["CreatedToken"];
export type NodeMetrics = Schemas["NodeMetrics"];
export type Scope = Token["scope"];
