import { createContext, useContext, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { streamWhileSeen } from './api';
import type { TaskState } from './types';

interface TasksState {
  /** undefined before the first message; the last known tasks while the database is away. */
  tasks: TaskState[] | undefined;
  databaseAway: boolean;
}

const Context = createContext<TasksState>({ tasks: undefined, databaseAway: false });

/** The tasks with the state of their cameras, kept up to date by one stream for the whole console. */
export function TasksProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<TasksState>({ tasks: undefined, databaseAway: false });
  useEffect(
    () => streamWhileSeen<{ tasks: TaskState[] | null }>('stream', {}, ({ tasks }) => setState((before) => ({ tasks: tasks ?? before.tasks, databaseAway: tasks === null }))),
    [],
  );
  return <Context.Provider value={state}>{children}</Context.Provider>;
}

export const useTasks = () => useContext(Context);
