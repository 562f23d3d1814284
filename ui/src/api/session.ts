import { useQuery } from '@tanstack/react-query';

import { act, ApiError, get } from './http';

export interface User {
  login: string;
  roles: string[];
  permissions: string[];
  must_change_password: boolean;
}

interface SessionAnswer {
  user: User;
}

const PATH = '/api/qvmon/v1/session';
export const SESSION_KEY = ['session'] as const;

async function whoAmI(): Promise<User | null> {
  try {
    return (await get<SessionAnswer>(PATH)).user;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** Who is signed in; `null` when nobody is. */
export function useSession() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: whoAmI, staleTime: 60_000, retry: 1 });
}

export async function signIn(username: string, password: string): Promise<User> {
  return (await act<SessionAnswer>('POST', PATH, { username, password })).user;
}

export async function signOut(): Promise<void> {
  await act('DELETE', PATH);
}

export async function changePassword(current: string, next: string): Promise<void> {
  await act('POST', `${PATH}/password`, { current, new: next });
}

/** Who everybody is where the server was started without authentication. */
export const WITHOUT_SIGN_IN = 'anonymous-admin';

/** Whether the signed-in person holds a permission. */
export function useMay(permission: string): boolean {
  return useSession().data?.permissions.includes(permission) ?? false;
}
