import { useHashLocation } from "wouter/use-hash-location";

/** The page that the address names after its #. A query there (links of Alertmanager carry one) names no other page. */
export function useHashPath(
  ...options: Parameters<typeof useHashLocation>
): ReturnType<typeof useHashLocation> {
  const [location, navigate] = useHashLocation(...options);
  return [location.split("?", 1)[0] ?? location, navigate];
}

/** How links are written, for wouter. */
useHashPath.hrefs = (path: string) => `#${path}`;
