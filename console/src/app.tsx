import { Center, Loader } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { hasToken } from './api';
import { SignInPage } from './pages/signin';
import { useSession } from './session';
import { Shell } from './shell';
import { TasksProvider } from './tasks';

// What is opened first is fetched while the browser still asks who is signed in.
const wall = () => import('./pages/cameras');
if (hasToken() && /^#?\/?(cameras\/?)?$/.test(window.location.hash)) void wall();
const CamerasPage = lazy(wall);
const CameraPage = lazy(() => import('./pages/camera'));
const ScenePage = lazy(() => import('./pages/scene'));
const EventsPage = lazy(() => import('./pages/events'));
const VehiclesPage = lazy(() => import('./pages/vehicles'));
const TrafficPage = lazy(() => import('./pages/traffic'));
const InterfacesPage = lazy(() => import('./pages/interfaces'));
const DeliveriesPage = lazy(() => import('./pages/deliveries'));
const UsersPage = lazy(() => import('./pages/users'));
const SystemPage = lazy(() => import('./pages/system'));

const waiting = (
  <Center h="60vh">
    <Loader aria-label="loading" />
  </Center>
);

export function App() {
  const { me } = useSession();
  if (me === undefined) return waiting;
  if (me === null) return <SignInPage />;
  return (
    <TasksProvider>
      <Shell>
        <Suspense fallback={waiting}>
          <Routes>
            <Route path="/" element={<Navigate to="/cameras" replace />} />
            <Route path="/cameras" element={<CamerasPage />} />
            <Route path="/cameras/:id" element={<CameraPage />} />
            <Route path="/cameras/:id/scene" element={<ScenePage />} />
            <Route path="/events" element={<EventsPage />} />
            <Route path="/vehicles" element={<VehiclesPage />} />
            <Route path="/traffic" element={<TrafficPage />} />
            <Route path="/interfaces" element={<InterfacesPage />} />
            <Route path="/deliveries" element={<DeliveriesPage />} />
            {me.role === 'admin' && <Route path="/users" element={<UsersPage />} />}
            <Route path="/system" element={<SystemPage />} />
            <Route path="*" element={<Navigate to="/cameras" replace />} />
          </Routes>
        </Suspense>
      </Shell>
    </TasksProvider>
  );
}
