import { useQuery } from '@tanstack/react-query';

import { act, get } from './http';

/** A token of one's own, for a program; its secret is known only when it is made. */
export interface Token {
  token_id: string;
  name: string;
  roles: string[];
  created_at: string;
  expires_at: string;
}

export interface NewToken {
  name: string;
  roles: string[];
  lifetime_seconds: number;
}

const PATH = '/api/qvmon/v1/tokens';
export const TOKENS_KEY = ['tokens'] as const;

/** One's own tokens, oldest first. */
export function useTokens() {
  return useQuery({ queryKey: TOKENS_KEY, queryFn: async ({ signal }) => (await get<{ tokens: Token[] }>(PATH, signal)).tokens });
}

export async function createToken(wanted: NewToken): Promise<Token & { secret: string }> {
  return act('POST', PATH, wanted);
}

export async function revokeToken(id: string): Promise<void> {
  await act('DELETE', `${PATH}/${encodeURIComponent(id)}`);
}
