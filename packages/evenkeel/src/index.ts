export { doctor, type DoctorReport, type Missing } from './doctor/doctor.ts';
